"""What somebody would write into a use-case file to run code, read a file or look at the session: all of it is refused.

Beside test_expressions.py, which has what people write by mistake, and holds what passes against Spark's own parser.
"""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from regatta.config.expressions import Purpose, columns_of, problems

COLUMNS = [
    "price",
    "sqft_living",
    "bedrooms",
    "bathrooms",
    "waterfront",
    "zipcode",
    "listed",
    "day",
    "sold_at",
    "date",
]

QUERIES = """
(table listings)
values (1)
(values (1), (2))
bedrooms in (table listings)
bedrooms = (from listings select 1)
bedrooms |> select 1
scalar(select 1)
lateral (select 1)
bedrooms = any (select 1)
bedrooms = all (select 1)
not exists(select 1 from listings)
sum(bedrooms) within group (order by day)
"""
CODE = """
java_method ( 'java.lang.Runtime' , 'getRuntime' )
JAVA_METHOD('java.lang.System','exit')
jAvA_mEtHoD('a','b')
builtin.reflect('java.lang.System', 'getenv')
session.java_method('a', 'b')
system.session.f(1)
java_method/**/('a', 'b')
concat(zipcode, java_method('a', 'b'))
case when java_method('a', 'b') = 'x' then 1 end
zipcode = '`' || `java_method`('a', 'b') || '`'
`java_method('a', 'b')`
python_udf(bedrooms)
transform(bedrooms) using 'sh'
bedrooms using 'sh'
map bedrooms using 'sh -c id'
"""
STATEMENTS = """
set spark.x = 1
bedrooms; set spark.x=1
add jar 'x'
use x
execute immediate 'select 1'
begin select 1; end
begin return 1 end
declare x int
call f()
"""
FILES_AND_SESSION = """
read_files('/etc/passwd')
csv.`/etc/passwd`
`csv`.`/etc/passwd`
text.`s3a://regatta/x`
_metadata.file_path
`_metadata`.`file_path`
input_file_block_start()
current_setting('x')
current_metastore()
version()
secret('a', 'b')
try_secret('a', 'b')
http_request('GET', 'x')
aes_decrypt(zipcode, 'k')
${spark:x}
${hiveconf:x}
$(id)
{{ conn.x }}
{fn now()}
{d '2015-01-01'}
%(x)s
"""
OTHER_LANGUAGES = """
xpath(zipcode, '/a')
from_xml(zipcode, 'a int')
from_csv(zipcode, 'a int')
schema_of_json(zipcode)
parse_json(zipcode)
variant_get(zipcode, '$.a')
get_json_object(zipcode, '$.a')
json_tuple(zipcode, 'a')
parse_url(zipcode, 'HOST')
url_decode(zipcode)
unbase64(zipcode)
decode(zipcode, 'utf-8')
"""
TOO_MUCH = """
repeat(zipcode, 1000000000)
space(1000000000)
sleep(10)
sequence(1, 1000000000)
array_repeat(1, 1000000000)
"""
COMMENTS = """
bedrooms #comment
bedrooms // x
/**/bedrooms
/*! bedrooms */
-- bedrooms
<!-- bedrooms -->
"""
QUOTES = r"""
'''
'' || 'x'
'a' '' 'b'
'''' || uuid() || ''''
'it''s' || uuid()
'\\' || uuid() || '\\'
"a" || uuid() || "b"
zipcode = '"' || uuid() || '"'
`a``b`
``
U&'\0061'
N'x'
b'x'
e'\n'
$$x$$
$tag$x$tag$
q'[x]'
"""
UNICODE = [
    "java_\u200bmethod('a', 'b')",  # a space of no width
    "ｊａｖａ_method('a', 'b')",  # full width
    "jаva_method('a', 'b')",  # a Cyrillic letter
    "ſum(bedrooms)",  # lower() makes s of it
    "\u212aey",  # the Kelvin sign, of which lower() makes k
    "‘bedrooms’",
    "“bedrooms”",
    "´bedrooms´",
    "（bedrooms）",
    "bedrooms，1",
    "bedrooms；drop",
    "bedrooms\u2028+ 1",  # ends of lines that are none
    "bedrooms\u0085+ 1",
    "bedrooms\ufeff",
    "\ufeffbedrooms",
    "bedrooms\u200d",
    "bedrooms\u3000+ 1",
    "bedrooms -\u2010- 1",
    "bedrooms /\u2044* x *\u2044/",
]
LINES = [
    "--\nbedrooms",
    "bedrooms --\n+ 1",
    "bedrooms\r-- x",
    "`a\nb`",
    "java_method\n(\n'a', 'b')",
    "java_method\t('a', 'b')",
]

CORPUS = {
    name: text.strip("\n").splitlines() if isinstance(text, str) else text
    for name, text in {
        "queries": QUERIES,
        "code": CODE,
        "statements": STATEMENTS,
        "files and session": FILES_AND_SESSION,
        "other languages": OTHER_LANGUAGES,
        "too much": TOO_MUCH,
        "comments": COMMENTS,
        "quotes": QUOTES,
        "unicode": UNICODE,
        "lines": LINES,
    }.items()
}


@pytest.mark.parametrize("kind", CORPUS)
@pytest.mark.parametrize("purpose", Purpose)
def test_an_attack_is_refused_whatever_the_expression_is_for(kind: str, purpose: Purpose) -> None:
    passed = [
        sql for sql in CORPUS[kind] if not problems(sql, columns=COLUMNS, purpose=purpose, label="price")
    ]
    assert passed == []


@pytest.mark.parametrize("sql", ["''''", r"'\' || uuid() --'", r"'a\\\' || uuid() || '", "'select 1; --'"])
def test_what_looks_like_code_within_one_text_is_that_text_to_spark_as_well(
    spark: SparkSession, sql: str
) -> None:
    assert problems(sql, columns=COLUMNS, purpose=Purpose.FEATURE) == []
    assert columns_of(sql) == frozenset()
    tree = spark._jsparkSession.sessionState().sqlParser().parseExpression(sql)
    assert tree.getClass().getSimpleName() == "Literal"
