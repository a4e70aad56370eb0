"""The streaming reader: from the bytes of a document to its objects, refusing whatever is no CLIXML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from xml.parsers import expat

import msgspec

from statetrace.cache.clixml.document import NAMESPACE, ClixmlEncoding, open_document, root_refusal
from statetrace.cache.clixml.elements import CHILDREN, LEAVES, LISTS, MEMBERS, NOTHING, refusal
from statetrace.cache.clixml.escapes import decode_escapes
from statetrace.cache.clixml.limits import DEFAULT_LIMITS, Limits, RepetitionGuard
from statetrace.cache.clixml.values import PRIMITIVES, ClixmlObject
from statetrace.errors import SnapshotError

_V = TypeVar("_V")

_PAIR = ("Key", "Value")
_CONTAINERS = (dict, list, type(None))
# Attributes come as one list of names and values.
_ONE_ATTRIBUTE = 2
_TWO_ATTRIBUTES = 4
_TEXT_BUFFER_BYTES = 1 << 16
_LONGEST_TAG_BYTES = 16 * 1024 * 1024
# Characters of a message.
_LONGEST_REASON, _LONGEST_TAG = 200, 40


class _Frame(msgspec.Struct, gc=False):
    """An element that is open: what is built from it, and its name and number, if it has any."""

    tag: str
    target: Any
    allowed: frozenset[str]
    name: str | None = None
    ref_id: str | None = None


class ClixmlReader:
    """Reads one document, fed in blocks of any size.

    Args:
        limits: bounds within which it is read.
        path: the file, for error messages.
        make: given the members of an object as soon as they are complete, may return what takes the place of the
            object. Objects that are many need not be kept as they are to the end of the document. A text member is
            given as it is written, its escapes not undone; any other one is a tuple of its value.

    Attributes:
        roots: the top-level values read so far: text, numbers, … or ``ClixmlObject``.
        encoding: the encoding of the document, known after ``read``.
    """

    def __init__(
        self,
        limits: Limits = DEFAULT_LIMITS,
        path: Path | None = None,
        make: Callable[[Mapping[str, Any]], Any] | None = None,
    ) -> None:
        self.roots: list[Any] = []
        self.encoding = ClixmlEncoding.UTF_8
        self._limits = limits
        self._path = path
        self._make = make
        self._first_line = 1
        self._objects: dict[str, Any] = {}
        self._type_names: dict[str, tuple[str, ...]] = {}
        self._repetition = RepetitionGuard(limits.max_repeated_bytes)
        self._values_left = limits.max_values
        self._depth = 0
        self._stack: list[_Frame] = []
        self._parser = expat.ParserCreate("utf-8")

    def read(self, blocks: Iterable[bytes]) -> list[Any]:
        """The top-level values of the document whose bytes ``blocks`` are.

        Raises:
            SnapshotError: the document cannot be read as a whole; ``complete_values`` has what came before the fault.
        """
        parser = self._parser
        open_tag = self._install_handlers()
        try:
            document = open_document(blocks, self._limits.max_bytes)
            self.encoding, self._first_line = document.encoding, document.first_line
            fed = 0
            for block in document.blocks:
                parser.Parse(block, False)  # noqa: FBT003  # takes no keyword
                fed += len(block)
                # Until 2.6 expat looks at an unfinished tag from its beginning whenever more of it arrives.
                if fed - parser.CurrentByteIndex > _LONGEST_TAG_BYTES:
                    self._refuse(f"a tag or comment is longer than {_LONGEST_TAG_BYTES:,} bytes")
            parser.Parse(b"", True)  # noqa: FBT003  # takes no keyword
        except expat.ExpatError as error:
            reason = f"not well-formed: {expat.errors.messages.get(error.code, str(error))}"
            raise self._error(reason, line=error.lineno, tag=open_tag()) from error
        except SnapshotError as error:
            if error.line is not None:
                raise
            # Faults of the encoding know neither path nor line.
            raise self._error(error.reason, tag=open_tag()) from error
        finally:
            # Parser and handlers refer to each other; they are freed now, not at the next garbage collection.
            parser.StartElementHandler = parser.EndElementHandler = None
            parser.CharacterDataHandler = parser.StartDoctypeDeclHandler = None
        return self.roots

    def complete_values(self) -> list[Any]:
        """What was complete when reading stopped: top-level values, and of an open top-level list its items so far."""
        # The stack begins with the document, its root, an object, its list: an array of entries exported as one.
        if len(self._stack) > 3 and self._stack[3].tag in LISTS:  # noqa: PLR2004  # explained above
            return [*self.roots, ClixmlObject(value=self._stack[3].target)]
        return self.roots

    def _install_handlers(self) -> Callable[[], str | None]:  # noqa: C901, PLR0915  # functions that share variables
        """Sets the parser's handlers: closures, since they run for every element and local variables are quickest.

        Returns:
            What tells the innermost open element.
        """
        parser, stack = self._parser, self._stack
        open_element, close_element, close_leaf = self._open, self._close, self._close_leaf
        frame = _Frame("", None, CHILDREN[""])
        stack.append(frame)
        allowed = frame.allowed
        members: dict[str, Any] | None = None
        attributes: list[str] = []
        leaf = ""
        chunks: list[str] = []
        listening = True
        take, listen = chunks.pop, chunks.append

        def start(tag: str, given: list[str]) -> None:
            nonlocal allowed, attributes, frame, leaf, listening, members
            if tag not in allowed:
                self._refuse(refusal(tag, frame.tag if allowed else None), tag)
            if not listening:
                parser.CharacterDataHandler = listen
                listening = True
            elif chunks:
                text = take()
                if chunks or not text.isspace():
                    self._refuse_text(chunks, text, tag)
            if tag == "S" or tag in LEAVES:
                allowed = NOTHING
                attributes = given
                leaf = tag
            else:
                frame = open_element(frame, tag, given)
                stack.append(frame)
                allowed = frame.allowed
                members = frame.target if tag in MEMBERS else None

        def end(tag: str) -> None:
            nonlocal allowed, frame, listening, members
            if allowed:
                if not listening:
                    parser.CharacterDataHandler = listen
                    listening = True
                elif chunks:
                    text = take()
                    if chunks or not text.isspace():
                        self._refuse_text(chunks, text, tag)
                closed = stack.pop()
                frame = stack[-1]
                allowed = frame.allowed
                members = frame.target if frame.tag in MEMBERS else None
                close_element(frame, closed)
                return
            if chunks:
                text = take()
                if chunks:
                    # The parser hands out long text in pieces.
                    text = "".join((*chunks, text))
                    chunks.clear()
            else:
                text = ""
            allowed = frame.allowed
            if members is not None and tag == "S" and len(attributes) == _ONE_ATTRIBUTE and attributes[0] == "N":
                # Three of four elements are this, a text member. Its escapes are undone when all members are known.
                members[attributes[1]] = text
                # A third of all events would be the blanks between text members. This is the one place where text
                # between elements goes unread.
                parser.CharacterDataHandler = None
                listening = False
            else:
                close_leaf(frame, tag, attributes, decode_escapes(text) if "_" in text else text)

        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.buffer_size = _TEXT_BUFFER_BYTES
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = listen
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        return lambda: (frame.tag if allowed else leaf) or None

    def _open(self, frame: _Frame, tag: str, given: list[str]) -> _Frame:
        """The frame of an element that has elements, in that of its parent."""
        target: Any
        if tag == "Obj":
            self._descend(tag)
            target = ClixmlObject(line=self._line())
        elif tag in MEMBERS:
            if frame.tag == "MS":
                self._descend(tag)
            target = {}
        elif tag == "DCT":
            target = {}
        elif tag == "Objs":
            reason = root_refusal(self._named(tag, given))
            if reason is not None:
                self._refuse(reason, tag)
            target = self.roots
        else:
            target = []
        if len(given) == _TWO_ATTRIBUTES and given[0] == "N" and given[2] == "RefId":
            return _Frame(tag, target, CHILDREN[tag], given[1], given[3])
        if not given:
            return _Frame(tag, target, CHILDREN[tag])
        attributes = self._named(tag, given)
        return _Frame(tag, target, CHILDREN[tag], attributes.get("N"), attributes.get("RefId"))

    def _close(self, frame: _Frame, closed: _Frame) -> None:
        """Gives what an element was to its parent."""
        tag, target = closed.tag, closed.target
        if tag == "Obj":
            self._depth -= 1
            if type(target.value) not in _CONTAINERS:
                # A primitive that carries extra members, such as the display hint of a date.
                target = target.value
            if closed.ref_id is not None:
                self._objects[closed.ref_id] = target
            self._add(frame, closed.name, target)
        elif tag == "En":
            if len(target) < len(_PAIR):
                self._refuse(f"must hold a {' and a '.join(_PAIR)}", tag)
            frame.target[target[0]] = target[1]
        elif tag in MEMBERS:
            self._close_members(frame, closed)
        elif tag == "TN":
            frame.target.type_names = tuple(target)
            if closed.ref_id is not None:
                self._type_names[closed.ref_id] = frame.target.type_names
        elif tag != "Objs":
            self._add(frame, None, target)

    def _close_members(self, frame: _Frame, closed: _Frame) -> None:
        written = closed.target
        if frame.tag == "MS":
            self._depth -= 1
            self._add(frame, closed.name, ClixmlObject(properties=_undone(written)))
            return
        made = None if self._make is None else self._make(written)
        if made is None:
            frame.target.properties.update(_undone(written))
        elif frame.target.value is None:
            frame.target.value = made

    def _close_leaf(self, frame: _Frame, tag: str, given: list[str], text: str) -> None:
        """Gives what an element with nothing but text was to its parent."""
        if tag == "ToString":
            frame.target.text = text
        elif tag == "TNRef":
            frame.target.type_names = self._resolve(self._type_names, "type names", tag, given, text)
        elif tag == "T":
            frame.target.append(text)
        else:
            name = None if not given else given[1] if given[0] == "N" else self._named(tag, given).get("N")
            self._add(frame, name, text if tag == "S" else self._leaf_value(tag, given, text))

    def _leaf_value(self, tag: str, given: list[str], text: str) -> Any:
        if tag == "Ref":
            value = self._resolve(self._objects, "object", tag, given, text)
            height = self._repetition.repeat(value)
            if height is None:
                self._refuse(f"references repeat more than {self._limits.max_repeated_bytes:,} bytes", tag)
            if self._depth + height > self._limits.max_depth:
                self._refuse_depth(tag)
            return value
        if tag == "Nil":
            self._expect_empty(tag, text)
            return None
        try:
            return PRIMITIVES[tag](text)
        except ValueError as error:
            raise self._error(f"holds {text[:40]!r}: {error}", tag=tag) from error

    def _resolve(self, known: dict[str, _V], kind: str, tag: str, given: list[str], text: str) -> _V:
        if text:
            self._expect_empty(tag, text)
        ref_id = given[1] if len(given) == _ONE_ATTRIBUTE else self._named(tag, given).get("RefId", "")
        try:
            return known[ref_id]
        except KeyError:
            self._refuse(f"refers to {kind} {ref_id!r}, not given or not complete before this line", tag)

    def _add(self, frame: _Frame, name: str | None, value: Any) -> None:
        """Puts a value where the open element keeps its values."""
        kind, target = frame.tag, frame.target
        self._values_left -= 1
        if self._values_left < 0:
            self._refuse(f"the document holds more than {self._limits.max_values:,} values", kind)
        if kind == "En":
            if len(target) == len(_PAIR) or name != _PAIR[len(target)]:
                self._refuse(f"must hold a {' and a '.join(_PAIR)}, not {name!r}", kind)
            if not target and (value is None or isinstance(value, msgspec.Struct)):
                self._refuse("has a key that is null or an object", kind)
            target.append(value)
        elif kind in MEMBERS:
            if name is None:
                self._refuse("has a member without a name", kind)
            target[name] = (value,)
        elif kind == "Obj":
            if target.value is not None:
                self._refuse("has two values", kind)
            target.value = value
        else:
            target.append(value)

    def _descend(self, tag: str) -> None:
        self._depth += 1
        if self._depth > self._limits.max_depth:
            self._refuse_depth(tag)

    def _named(self, tag: str, given: list[str]) -> dict[str, str]:
        if len(given) == _ONE_ATTRIBUTE:
            attributes = {given[0]: given[1]}
        else:
            attributes = dict(zip(given[::2], given[1::2], strict=True))
        if "xmlns" in attributes and attributes["xmlns"] != NAMESPACE:
            self._refuse(f"is of the namespace {attributes['xmlns']!r} instead of {NAMESPACE}", tag)
        return attributes

    def _expect_empty(self, tag: str, text: str) -> None:
        if text and not text.isspace():
            self._refuse("must be empty", tag)

    def _refuse_text(self, chunks: list[str], last: str, tag: str) -> None:
        # The parser hands out long text in pieces, so blanks that fill its buffer come here too.
        text = "".join((*chunks, last))
        chunks.clear()
        if not text.isspace():
            self._refuse(f"text {text.strip()[:40]!r} stands between elements", tag)

    def _refuse_depth(self, tag: str) -> NoReturn:
        self._refuse(f"objects are nested more than {self._limits.max_depth} deep", tag)

    def _refuse_doctype(self, *_declaration: object) -> None:
        self._refuse("a document type declaration is no part of a snapshot")

    def _refuse(self, reason: str, tag: str | None = None) -> NoReturn:
        raise self._error(reason, tag=tag)

    def _error(self, reason: str, *, line: int | None = None, tag: str | None = None) -> SnapshotError:
        # What a message quotes may be as long as the document.
        reason, tag = reason[:_LONGEST_REASON], tag and tag[:_LONGEST_TAG]
        return SnapshotError(reason, path=self._path, line=self._line(line), tag=tag)

    def _line(self, parsed: int | None = None) -> int:
        """The line of the file that is the parser's line ``parsed``, by default the one where it is."""
        return (self._parser.CurrentLineNumber if parsed is None else parsed) + self._first_line - 1


def _undone(members: dict[str, Any]) -> dict[str, Any]:
    """Members by name, with the escapes of their names and texts undone."""
    return {
        decode_escapes(name) if "_" in name else name: held[0] if type(held) is tuple else decode_escapes(held)
        for name, held in members.items()
    }


def parse_clixml(data: bytes, limits: Limits = DEFAULT_LIMITS) -> list[Any]:
    """The top-level values of a document.

    Raises:
        SnapshotError: the document cannot be read as a whole; says line and tag.
    """
    return ClixmlReader(limits).read((data,))
