"""Chapter 8: faces, meshes, hands and poses with MediaPipe, on this machine alone.

MediaPipe and OpenCV are imported when first used; `models.MEDIAPIPE` says which to install.
"""

from companion.vision.drawing import draw
from companion.vision.frames import Frame, Picture, Source
from companion.vision.landmarks import (
    Box,
    Face,
    FacePoint,
    Found,
    Hand,
    HandPoint,
    Mesh,
    Pose,
    PosePoint,
    Side,
)
from companion.vision.pictures import as_picture
from companion.vision.trackers import FaceDetector, FaceMesh, HandTracker, Live, PoseEstimator, Seen, Tracker

__all__ = [
    "Box",
    "Face",
    "FaceDetector",
    "FaceMesh",
    "FacePoint",
    "Found",
    "Frame",
    "Hand",
    "HandPoint",
    "HandTracker",
    "Live",
    "Mesh",
    "Picture",
    "Pose",
    "PoseEstimator",
    "PosePoint",
    "Seen",
    "Side",
    "Source",
    "Tracker",
    "as_picture",
    "draw",
]
