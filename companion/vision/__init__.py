"""Chapter 8: faces, meshes, hands and poses with MediaPipe, on this machine alone.

MediaPipe and OpenCV are imported when first used; they come with `pip install "companion[hands]"`.
"""

from companion.vision.frames import Frame, Picture, Source
from companion.vision.landmarks import Box, Face, FacePoint, Found, Hand, HandPoint, Mesh, Pose, PosePoint

__all__ = [
    "Box",
    "Face",
    "FacePoint",
    "Found",
    "Frame",
    "Hand",
    "HandPoint",
    "Mesh",
    "Picture",
    "Pose",
    "PosePoint",
    "Source",
]
