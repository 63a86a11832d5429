body.p
<!DOCTYPE html>
<html lang=en><head><meta charset="utf-8"><title>T &eacute;</title>
<script>if (a < b && c > d) x("<p>");</script></head><body>
<p class="k">A<b>B</b>C<p>D &amp; E &nbsp;
<ul><li>1<li>2</ul><BR><IMG SRC=i.png ALT='a b'>
<p>last</body></html>
