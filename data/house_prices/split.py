"""Cut kc_house_data.csv into this folder's files: `python split.py kc_house_data.csv TARGET`.

Lines are cut at their commas (no value of this file holds one) and never parsed and written anew, so that
every value keeps the text and the quotes it was published with.
"""

import argparse
from pathlib import Path

parser = argparse.ArgumentParser(description="Cut the King County sales into deliveries.")
parser.add_argument("original", type=Path, help="kc_house_data.csv as published")
parser.add_argument("target", type=Path, help="the folder to write train/, score/ and later/ into")
arguments = parser.parse_args()

header, *sales = (line.split(b",") for line in arguments.original.read_bytes().splitlines())
pieces: dict[str, list[list[bytes]]] = {}
for sale in sales:
    month = f"{sale[1][1:5].decode()}-{sale[1][5:7].decode()}"  # of "20141013T000000", quotes included
    if month <= "2015-04":
        pieces.setdefault(f"train/{month}.csv", [header]).append(sale)
    else:
        pieces.setdefault(f"score/{month}.csv", [header[:2] + header[3:]]).append(sale[:2] + sale[3:])
        pieces.setdefault(f"later/{month}-prices.csv", [header[:3]]).append(sale[:3])
for name, rows in pieces.items():
    (arguments.target / name).parent.mkdir(parents=True, exist_ok=True)
    (arguments.target / name).write_bytes(b"".join(b",".join(row) + b"\n" for row in rows))
