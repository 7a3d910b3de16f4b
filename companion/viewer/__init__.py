"""Look through a data set: pages of its pictures, by label or by why they were left out, and each one's neighbours.

    browse("fashion-mnist")                              # a set, by name
    browse("holidays", features=BackboneFeatures())      # a folder, and what is alike to a network
    browse("aligned")                                    # what `companion align` left, and what it left out
    browse(images, groups={"doubtful": scores < 0.2})    # images of yours

`companion app browse` opens the same as a page of its own.
"""

from companion.viewer.album import Album, album
from companion.viewer.neighbours import Neighbours, nearest
from companion.viewer.viewing import Viewer, browse

__all__ = ["Album", "Neighbours", "Viewer", "album", "browse", "nearest"]
