"""Converts the XML file MEMBER of a zip to JSON Lines: from_xml.py ZIP MEMBER OUT

A child of the root is a row, its attributes and its children are the values.
"""
import json
import sys
import xml.etree.ElementTree as ET
import zipfile

package, member, out = sys.argv[1:]
with zipfile.ZipFile(package) as z, z.open(member) as data, open(out, "w", encoding="utf-8", newline="\n") as lines:
    events = ET.iterparse(data, events=("start", "end"))
    _, root = next(events)
    depth = 1
    for event, element in events:
        if event == "start":
            depth += 1
            continue
        depth -= 1
        if depth == 1:
            row = dict(element.attrib)
            row.update((child.tag, child.text or "") for child in element)
            lines.write(json.dumps(row, ensure_ascii=False))
            lines.write("\n")
            root.clear()
