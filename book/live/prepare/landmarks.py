"""What “landmarks” opens with: a picture for each network with what the package finds in it, and the mesh's lines."""

import json
from pathlib import Path

from live_samples import drawn_dancer, drawn_hand, finder, found_in, mesh_edges, portrait

from companion.files import write_bytes


def files(folder: Path) -> None:
    """`landmarks.json`, the pictures, and MediaPipe's networks, as far as they are at hand."""
    pictures = {"hand": drawn_hand(folder), "face": portrait(folder), "pose": drawn_dancer(folder)}
    found = {kind: found_in(kind, path) if finder(kind, folder) else None for kind, path in pictures.items()}
    content = json.dumps({"found": found, "edges": mesh_edges()}, separators=(",", ":"))
    write_bytes(folder / "landmarks.json", content.encode())
