"""The streaming reader of CLIXML: what it reads, and what it refuses."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from math import inf, isnan
from pathlib import Path
from uuid import UUID

import pytest

from statetrace.cache.clixml import NAMESPACE, ClixmlObject, ClixmlReader, Limits, parse_clixml
from statetrace.errors import SnapshotError


def document(*roots):
    return f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}">\r\n  {"".join(roots)}\r\n</Objs>'.encode()


def refusal(data, **limits):
    with pytest.raises(SnapshotError) as caught:
        parse_clixml(data, Limits(**limits))
    return caught.value


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("<S></S>", ""),
        ("<S />", ""),
        ("<S> a b </S>", " a b "),
        ("<S>a<!-- note -->b</S>", "ab"),
        ("<S><![CDATA[<&]]></S>", "<&"),
        ("<B>true</B>", True),
        ("<B>false</B>", False),
        ("<By>255</By>", 255),
        ("<SB>-128</SB>", -128),
        ("<C>65</C>", "A"),
        ("<I16>-5</I16>", -5),
        ("<U16>65535</U16>", 65535),
        ("<I32>42</I32>", 42),
        ("<U32>42</U32>", 42),
        ("<I64>-9223372036854775808</I64>", -(2**63)),
        ("<U64>18446744073709551615</U64>", 2**64 - 1),
        ("<Sg>1.5</Sg>", 1.5),
        ("<Db>471.2</Db>", 471.2),
        ("<Db>1E-05</Db>", 1e-5),
        ("<Db>INF</Db>", inf),
        ("<Db>-INF</Db>", -inf),
        ("<D>1.10</D>", Decimal("1.10")),
        ("<DT>2025-11-12T17:35:00.1234567-07:00</DT>", datetime(2025, 11, 12, 17, 35, 0, 123456, timezone(timedelta(hours=-7)))),
        ("<DT>2025-11-12T17:35:00Z</DT>", datetime(2025, 11, 12, 17, 35, tzinfo=UTC)),
        ("<DT>2025-11-12T17:35:00</DT>", datetime.fromisoformat("2025-11-12T17:35:00")),
        ("<TS>PT1M30.5S</TS>", timedelta(seconds=90.5)),
        ("<TS>-P1DT2H</TS>", -timedelta(days=1, hours=2)),
        ("<G>5c9c7e2a-0d1c-4f0a-9a43-2f0f4b1f3a10</G>", UUID("5c9c7e2a-0d1c-4f0a-9a43-2f0f4b1f3a10")),
        ("<URI>http://x/</URI>", "http://x/"),
        ("<Version>5.1</Version>", "5.1"),
        ("<XD>&lt;a /&gt;</XD>", "<a />"),
        ("<BA>AQID</BA>", b"\x01\x02\x03"),
        ("<SBK>1 + 1</SBK>", "1 + 1"),
        ("<SS>0100</SS>", "0100"),
        ("<Nil />", None),
    ],
)  # fmt: skip
def test_each_primitive_becomes_its_value(element, value):
    (read,) = parse_clixml(document(element))
    assert read == value
    assert type(read) is type(value)


def test_not_a_number_is_read():
    assert isnan(parse_clixml(document("<Db>NaN</Db>"))[0])


def test_objects_have_type_names_text_and_members_in_any_order():
    first, second = parse_clixml(
        document(
            '<Obj RefId="0"><TN RefId="0"><T>Deserialized.A.B, asm</T><T>System.Object</T></TN>'
            '<MS><I32 N="n_x0020_1">1</I32><MS N="inner"><S N="x">_x000A_</S></MS></MS><ToString>a_x0009_b</ToString></Obj>',
            '<Obj RefId="1"><TNRef RefId="0" /><Props><S N="p_x005F_q">v</S><Nil N="z" /></Props><MS><S N="m">w</S></MS></Obj>',
        )
    )
    assert (first.class_name, first.deserialized, first.text) == ("A.B", True, "a\tb")
    assert first.properties == {"n 1": 1, "inner": ClixmlObject(properties={"x": "\n"})}
    assert second.type_names == first.type_names
    assert second.properties == {"p_q": "v", "z": None, "m": "w"}


@pytest.mark.parametrize("tag", ["LST", "IE", "QUE", "STK"])
def test_lists_of_all_kinds_are_lists(tag):
    (read,) = parse_clixml(document(f'<Obj><{tag}><S>a</S><Nil /><Obj RefId="1"><{tag} /></Obj></{tag}></Obj>'))
    assert read.value == ["a", None, ClixmlObject(value=[], line=2)]


def test_an_object_knows_the_line_on_which_it_begins():
    (read,) = parse_clixml(b"#< CLIXML\r\n" + document("<Obj><LST>\r\n\r\n<Obj /></LST></Obj>"))
    assert (read.line, read.value[0].line) == (3, 5)


def test_dictionaries_keep_their_order_and_keys_that_differ_by_case():
    entries = "".join(f'<En><S N="Key">{key}</S><I32 N="Value">{n}</I32></En>' for n, key in enumerate("bBa"))
    (read,) = parse_clixml(document(f"<Obj><DCT>{entries}</DCT></Obj>"))
    assert list(read.value.items()) == [("b", 0), ("B", 1), ("a", 2)]


def test_a_primitive_with_extra_members_is_the_primitive():
    hint = '<Obj N="CachedAt" RefId="1"><DT>2025-11-12T17:35:00</DT><MS><S N="DisplayHint">DateTime</S></MS></Obj>'
    (read,) = parse_clixml(document(f'<Obj RefId="0"><MS>{hint}</MS></Obj>'))
    assert read.properties == {"CachedAt": datetime.fromisoformat("2025-11-12T17:35:00")}


def test_references_reach_back_across_top_level_objects():
    first, second, third = parse_clixml(
        document(
            '<Obj RefId="7"><MS><S N="a">b</S></MS></Obj>',
            '<Obj RefId="8"><LST><Ref RefId="7" /><Obj RefId="9"><LST /></Obj></LST></Obj>',
            '<Ref RefId="9" />',
        )
    )
    assert second.value[0] is first
    assert third is second.value[1]


def test_a_repeated_number_replaces_the_earlier_object():
    *_, last = parse_clixml(
        document('<Obj RefId="0"><LST /></Obj>', '<Obj RefId="0"><DCT /></Obj>', '<Ref RefId="0" />')
    )
    assert last.value == {}


@pytest.mark.parametrize("block_size", [1, 7, 4096])
@pytest.mark.parametrize(
    ("mark", "codec", "encoding"),
    [
        (b"", "utf-8", "UTF-8"),
        (codecs.BOM_UTF8, "utf-8", "UTF-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16LE"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16BE"),
    ],
)
@pytest.mark.parametrize("head", ["", "#< CLIXML\r\n", "#< CLIXML\n", '<?xml version="1.0" encoding="latin-1"?>\n'])
def test_every_encoding_and_every_head_is_read_in_blocks_of_any_size(mark, codec, encoding, head, block_size):
    data = mark + (head + document("<S>Zürich 😀</S>").decode()).encode(codec)
    reader = ClixmlReader()
    assert reader.read(data[start : start + block_size] for start in range(0, len(data), block_size)) == ["Zürich 😀"]
    assert reader.encoding.value == encoding


def test_comments_and_processing_instructions_are_ignored():
    assert parse_clixml(document("<!-- a --><?b c?><S>x</S>")) == ["x"]


def test_long_text_and_long_blanks_come_whole():
    text = "ab\u00e9" * 100_000
    assert parse_clixml(document(" " * 200_000, f"<S>{text}</S>")) == [text]


MEMBER = '<Obj RefId="0"><MS>{}</MS></Obj>'


@pytest.mark.parametrize(
    ("data", "reason", "tag"),
    [
        (b"", "empty", None),
        (codecs.BOM_UTF16_LE, "not well-formed", None),
        (b"\x00\x01", "neither UTF-8 nor UTF-16", None),
        (document("<S>a</S>").decode().encode("utf-16-le"), "neither UTF-8 nor UTF-16", None),
        (document("<S>a</S>").decode().encode("utf-16-be"), "neither UTF-8 nor UTF-16", None),
        (codecs.BOM_UTF8 * 2 + document("<S>a</S>"), "neither UTF-8 nor UTF-16", None),
        (codecs.BOM_UTF8 + codecs.BOM_UTF16_LE + document("<S>a</S>").decode().encode("utf-16-le"), "neither UTF-8 nor", None),
        (document("<S>a</S>").decode().encode("utf-32"), "not well-formed", None),
        (b'[{"Site": "BOYO"}]', "not well-formed", None),
        (b"<html></html>", "not the root of a CLIXML document", "html"),
        (b"<Objs></Objs>", "namespace", "Objs"),
        (b'<Objs xmlns="urn:other"></Objs>', "namespace", "Objs"),
        (f'<Objs Version="2.0" xmlns="{NAMESPACE}"></Objs>'.encode(), "version '2.0'", "Objs"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + document(), "document type declaration", None),
        (document('<S xmlns="urn:other">a</S>'), "namespace 'urn:other'", "S"),
        (document("<Foo />"), "unknown element", "Foo"),
        (document("<PR><AV>a</AV></PR>"), "progress record", "PR"),
        (document("<En />"), "must not stand in <Objs>", "En"),
        (document("<S><S>a</S></S>"), "only text", "S"),
        (document("stray"), "'stray' stands between", "Objs"),
        (document("<Obj>stray<LST /></Obj>"), "'stray' stands between", "LST"),
        (document("<I32>12x</I32>"), "whole number", "I32"),
        (document("<I32>2147483648</I32>"), "whole number", "I32"),
        (document(f"<I64>{'9' * 10_000}</I64>"), "whole number", "I64"),
        (document("<By>-1</By>"), "whole number", "By"),
        (document("<B>yes</B>"), "true or false", "B"),
        (document("<Db>1_0</Db>"), "number", "Db"),
        (document("<D>x</D>"), "decimal", "D"),
        (document("<DT>yesterday</DT>"), "date-time", "DT"),
        (document("<DT>2025-13-12T17:35:00</DT>"), "month", "DT"),
        (document("<TS>P</TS>"), "duration", "TS"),
        (document("<TS>P99999999999D</TS>"), "too long", "TS"),
        (document("<G>x</G>"), "UUID", "G"),
        (document("<BA>*</BA>"), "base64", "BA"),
        (document("<Nil>x</Nil>"), "must be empty", "Nil"),
        (document(MEMBER.format("<S>a</S>")), "without a name", "MS"),
        (document("<Obj><S>a</S><S>b</S></Obj>"), "two values", "Obj"),
        (document('<Obj><TNRef RefId="4" /></Obj>'), "refers to type names '4'", "TNRef"),
        (document('<Ref RefId="4" />'), "refers to object '4'", "Ref"),
        (document("<Ref />"), "refers to object ''", "Ref"),
        (document(MEMBER.format('<Ref N="self" RefId="0" />')), "not complete", "Ref"),
        (document('<Obj><DCT><En><S N="Key">a</S></En></DCT></Obj>'), "a Key and a Value", "En"),
        (document('<Obj><DCT><En><S N="Value">a</S></En></DCT></Obj>'), "a Key and a Value", "En"),
        (document('<Obj><DCT><En><Nil N="Key" /><S N="Value">a</S></En></DCT></Obj>'), "null or an object", "En"),
        (document("<S>a</S>")[:-10], "not well-formed", "S"),
        (document("<S>&undefined;</S>"), "not well-formed", "S"),
        (document("<S>\xe9</S>").replace("\xe9".encode(), b"\xe9"), "not well-formed", "S"),
        (document(MEMBER.format('<S N="a">b</S>')).replace(b"</MS>", b"</DCT>"), "mismatched tag", "MS"),
        (document("<S>a</S>") + b"<S>b</S>", "junk after document", None),
        (codecs.BOM_UTF16_LE + document("<S>a</S>").decode().encode("utf-16-le")[:-1], "UTF-16LE", "Objs"),
    ],
)  # fmt: skip
def test_what_is_no_clixml_is_refused_with_the_reason_and_the_element(data, reason, tag):
    error = refusal(data)
    assert reason in str(error)
    assert error.tag == tag


def test_a_refusal_names_the_line_also_below_the_stream_mark():
    data = b"#< CLIXML\r\n" + document("<S>a</S>\r\n", "<Bad />")
    assert refusal(data).line == 4
    assert refusal(data.replace(b"<Bad />", b"<Bad")).line == 5


def test_a_fault_of_the_encoding_names_its_line():
    data = codecs.BOM_UTF16_LE + b"".join(
        part.encode("utf-16-le", "surrogatepass") for part in (document().decode()[:-7], "\r\n" * 5, "\ud800" * 3)
    )
    reader = ClixmlReader(path=Path("a.clixml"))
    with pytest.raises(SnapshotError, match=r"a\.clixml, line 7, <Objs>: the file is not UTF-16LE"):
        reader.read(data[start : start + 64] for start in range(0, len(data), 64))


@pytest.mark.parametrize(
    "root", ['<Ref RefId="{}" />', "<{} />", '<S xmlns="{}" />', '<Obj><DCT><En><S N="{}">a</S></En></DCT></Obj>']
)
def test_a_refusal_is_short_however_long_what_it_quotes(root):
    assert len(str(refusal(document(root.format("n" * 100_000))))) < 400


@pytest.mark.parametrize("head", [b"<Objs ", b"<!--", b"<?a "])
def test_a_tag_without_an_end_is_refused_before_it_costs_time(head):
    def endless():
        yield head
        while True:
            yield b"a" * (1 << 20)

    with pytest.raises(SnapshotError, match="longer than 16,777,216 bytes"):
        ClixmlReader().read(endless())


def test_text_may_be_longer_than_any_tag():
    data = document(f"<S>{'text ' * 5_000_000}</S>", "<![CDATA[ ]]>" * 3, " " * 20_000_000, "<S>b</S>")
    read = ClixmlReader().read(data[start : start + (1 << 20)] for start in range(0, len(data), 1 << 20))
    assert [len(text) for text in read] == [25_000_000, 1]


def test_few_bytes_cannot_stand_for_any_number_of_values():
    for value in ("<Obj/>", "<Nil/>", "<S/>"):
        assert parse_clixml(document(f"<Obj><LST>{value * 8}</LST></Obj>"), Limits(max_values=10))
        assert "more than 10 values" in refusal(document(f"<Obj><LST>{value * 9}</LST></Obj>"), max_values=10).reason


def test_objects_nested_too_deep_are_refused():
    def nested(levels):
        return document("<Obj><LST>" * levels + "</LST></Obj>" * levels)

    assert parse_clixml(nested(50))
    error = refusal(nested(51))
    assert "nested more than 50 deep" in error.reason
    assert error.tag == "Obj"
    assert "deep" in refusal(nested(100_000)).reason
    assert "deep" in refusal(document("<Obj>" + "<MS>" * 60)).reason


def test_references_count_as_depth():
    chain = ['<Obj RefId="0"><LST /></Obj>']
    chain += [f'<Obj RefId="{n}"><LST><Ref RefId="{n - 1}" /></LST></Obj>' for n in range(1, 60)]
    assert "nested more than 50 deep" in refusal(document(*chain)).reason


def test_references_that_multiply_are_refused_before_they_are_followed():
    bomb = ['<Obj RefId="0"><LST><S>row</S></LST></Obj>']
    bomb += [
        f'<Obj RefId="{n}"><LST>{f"<Ref RefId={chr(34)}{n - 1}{chr(34)} />" * 10}</LST></Obj>' for n in range(1, 20)
    ]
    error = refusal(document(*bomb))
    assert "references repeat more than" in error.reason
    assert error.tag == "Ref"
    long_text = document(f'<Obj RefId="0"><LST><S>{"x" * 1000}</S></LST></Obj>', '<Ref RefId="0" />' * 100)
    assert len(parse_clixml(long_text)) == 101
    assert "repeat" in refusal(long_text, max_repeated_bytes=50_000).reason


@pytest.mark.parametrize(
    "named",
    ["<ToString>{}</ToString>", "<MS><S N='{}'>a</S></MS>", "<DCT><En><S N='Key'>{}</S><Nil N='Value'/></En></DCT>"],
)
def test_all_text_of_an_object_counts_as_repeated(named):
    data = document(f'<Obj RefId="0">{named.format("x" * 1000)}</Obj>', '<Ref RefId="0" />' * 100)
    assert "repeat" in refusal(data, max_repeated_bytes=50_000).reason


def test_a_document_larger_than_allowed_is_refused_while_it_is_read():
    data = document("<S>a</S>")
    assert parse_clixml(data, Limits(max_bytes=len(data))) == ["a"]
    assert "larger than" in refusal(data, max_bytes=len(data) - 1).reason

    def endless():
        yield data[:-10]
        while True:
            yield b" " * 1024

    with pytest.raises(SnapshotError, match="larger than"):
        ClixmlReader(Limits(max_bytes=1 << 20)).read(endless())
