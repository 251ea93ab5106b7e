"""Converts the CSV file MEMBER of a zip to JSON Lines: from_csv.py ZIP MEMBER OUT"""
import csv
import io
import json
import sys
import zipfile

package, member, out = sys.argv[1:]
with zipfile.ZipFile(package) as z, z.open(member) as data, open(out, "w", encoding="utf-8", newline="\n") as lines:
    for row in csv.DictReader(io.TextIOWrapper(data, encoding="utf-8-sig", newline="")):
        lines.write(json.dumps(row, ensure_ascii=False))
        lines.write("\n")
