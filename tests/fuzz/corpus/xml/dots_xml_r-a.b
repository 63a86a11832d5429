r/a.b
<r><a.b>1</a.b><c d.e="2"/></r>