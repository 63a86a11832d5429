"""Files into records for the model: what tests/model reads, and XML."""

import json
import sys
import xml.parsers.expat
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "model"))

import inputs  # noqa: E402
from inputs import Records, Refused  # noqa: E402
from values import Untyped  # noqa: E402


LONGEST = 64 << 20  # bytes of a record


def lists(document):
    """The members of the outermost object that are lists of objects."""
    if not isinstance(document, dict):
        return []
    return [k for k, v in document.items() if isinstance(v, list) and v and all(isinstance(x, dict) for x in v) and "." not in k]


def as_record(value):
    """An element that is no object is one of a single field."""
    return value if isinstance(value, dict) else {"content": value}


# ---- XML --------------------------------------------------------------------------------------------------------------------


class Element:
    def __init__(self, name, attributes):
        self.name, self.fields, self.text, self.open = name, {}, "", True
        for k, v in attributes.items():
            self.put(k.split(":")[-1], v)

    def put(self, key, value):
        """What comes again under a key is a list."""
        if key not in self.fields:
            self.fields[key] = value
        elif isinstance(self.fields[key], list):
            self.fields[key].append(value)
        else:
            self.fields[key] = [self.fields[key], value]

    def begin_child(self):
        """The text before the first child counts, what is behind it is lost."""
        if self.open and self.text.strip():
            self.put("content", self.text.strip())
        self.open = False

    def value(self):
        if self.open:
            self.begin_child()
        return self.fields["content"] if list(self.fields) == ["content"] else self.fields


class Document:
    """The elements at PATH (the whole one without it) as values."""

    def __init__(self, data, path):
        self.steps = path.split(".") if path else []
        self.stack, self.items = [], []
        parser = xml.parsers.expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = self.start, self.end, self.text
        try:
            parser.Parse(data, True)
        except xml.parsers.expat.ExpatError as e:
            raise Refused(str(e)) from e

    def start(self, name, attributes):
        if self.stack:
            self.stack[-1].begin_child()
        self.stack.append(Element(name, attributes))

    def text(self, text):
        if self.stack[-1].open:
            self.stack[-1].text += text

    def end(self, _):
        element = self.stack.pop()
        names = [e.name for e in self.stack] + [element.name]
        if names == self.steps or not self.steps and not self.stack:
            self.items.append(element.value())
        elif self.stack:
            value = element.value()
            if value != {}:
                self.stack[-1].put(element.name.split(":")[-1], value)


def xml_paths(data):
    """The children of the outermost element that come more than once: the records, as far as a stranger can tell."""
    counts, depth = {}, [0]
    root = []
    parser = xml.parsers.expat.ParserCreate()

    def start(name, _):
        depth[0] += 1
        if depth[0] == 1:
            root.append(name)
        if depth[0] == 2:
            counts[name] = counts.get(name, 0) + 1

    def end(_):
        depth[0] -= 1

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(data, True)
    return [f"{root[0]}.{n}" for n, c in counts.items() if c > 1]


def untyped(value):
    """Texts of XML are of no type, like those of CSV."""
    if isinstance(value, dict):
        return {k: Untyped(v) if isinstance(v, str) else v for k, v in value.items()}
    return Untyped(value) if isinstance(value, str) else value


# ---- all of them ------------------------------------------------------------------------------------------------------------


def ways(data, kind):
    """How a file may be read: a list of readings for the command line. What cannot be read has one way too."""
    if kind in ("json", "geojson"):
        try:
            return [{}, *({"path": p} for p in lists(json.loads(data)))]
        except ValueError:
            return [{}]
    if kind == "xml":
        try:
            return [{}, *({"path": p} for p in xml_paths(data))]
        except xml.parsers.expat.ExpatError:
            return [{}]
    if kind in ("csv", "tsv"):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            return [{}, {"encoding": "windows-1252"}]
    return [{}]


def read(data, kind, reading):
    """Records, or Refused with what is wrong with the file."""
    out = Records()
    names = []
    try:
        if kind == "xml":
            values = [untyped(v) for v in Document(data, reading.get("path")).items]
        elif kind in ("csv", "tsv"):
            values, names = inputs.read_file(data, "x." + kind, reading)
        elif kind in ("jsonl", "ndjson"):
            values = inputs.read_jsonl(inputs.decode(data, None))
        else:
            values = inputs.read_json(inputs.decode(data, None), reading.get("path"))
            if len(values) == 1 and len(data) > LONGEST:
                raise Refused("a record is longer than 64 MiB")
    except Refused:
        raise
    except Exception as e:  # whatever Python's readers say
        raise Refused(f"{type(e).__name__}: {e}") from e
    out.extend(v for v in map(as_record, values))
    out.heading = names
    out.headings = 1 if names else 0
    return out


__all__ = ["Records", "Refused", "read", "ways"]
