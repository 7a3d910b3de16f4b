"""What “landmarks” opens with: a picture for each network with what the package finds in it, and the mesh's lines.

And for each a film, which is fetched when it is played.
"""

import json
from pathlib import Path

from live_films import FILMS, film
from live_samples import drawn_dancer, drawn_hand, finder, found_in, mesh_edges, portrait

from companion.files import write_bytes


def files(folder: Path) -> None:
    """`landmarks.json`, the pictures and films, and MediaPipe's networks, as far as they are at hand."""
    pictures = {"hand": drawn_hand(folder), "face": portrait(folder), "pose": drawn_dancer(folder)}
    found = {kind: found_in(kind, path) if finder(kind, folder) else None for kind, path in pictures.items()}
    films = {kind: film(kind, folder) for kind in FILMS}
    content = json.dumps({"found": found, "edges": mesh_edges(), "films": films}, separators=(",", ":"))
    write_bytes(folder / "landmarks.json", content.encode())
