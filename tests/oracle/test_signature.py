"""The documented vectors."""

import unittest

from signature import signature

VECTORS = [
    ("sha256", "AVANGATE", "2010-05-13 12:12:12", "29e85dbf92ce0113e7755c31c0438a7db98a4de9f910bf0a527e005f35e43739"),
    ("sha3-256", "AVANGATE", "2010-05-13 12:12:12", "0c7e9c0c96148e5bf8e199a0a0e27977edc099ff0b27794e761853b96e04c7fb"),
    ("sha256", "YOURCODE123", "2020-06-18 08:05:46", "483fc633a309cadc65b89519f55cc55e0d0611a6e1dfa62ac4d48fc3703a6a42"),
    ("sha3-256", "YOURCODE123", "2020-06-18 08:05:46", "89cff582a336094aa0a917003e383016c173b0bcb38d812375b2b10ea6ce99ed"),
]


class Signatures(unittest.TestCase):
    def test_documented_vectors(self):
        for algorithm, code, date, expected in VECTORS:
            self.assertEqual(signature(algorithm, code, date, b"SECRET_KEY"), expected)
