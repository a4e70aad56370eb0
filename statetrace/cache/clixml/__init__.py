"""CLIXML, the text form in which PowerShell writes objects: what snapshots of the cache are made of."""

from statetrace.cache.clixml.document import NAMESPACE, ClixmlEncoding
from statetrace.cache.clixml.escapes import decode_escapes, encode_text
from statetrace.cache.clixml.limits import DEFAULT_LIMITS, Limits
from statetrace.cache.clixml.reader import ClixmlReader, parse_clixml
from statetrace.cache.clixml.values import ClixmlObject, class_name

__all__ = [
    "DEFAULT_LIMITS",
    "NAMESPACE",
    "ClixmlEncoding",
    "ClixmlObject",
    "ClixmlReader",
    "Limits",
    "class_name",
    "decode_escapes",
    "encode_text",
    "parse_clixml",
]
