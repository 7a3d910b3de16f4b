"""How good are the samples? Distances between sets of images, each number stamped with how it was made."""

from companion.metrics.distances import frechet_distance, kernel_distance, measure
from companion.metrics.divergences import game_value, jensen_shannon, optimal_discriminator
from companion.metrics.features import (
    BackboneFeatures,
    DigitFeatures,
    FaceFeatures,
    FeatureExtractor,
    InceptionFeatures,
)
from companion.metrics.modes import ModeReport, mode_report, total_variation
from companion.metrics.slopes import gradients_by_layer, share_at_walls, slope_norms
from companion.metrics.transport import cheapest_plan, cost_of_plan, earth_movers_distance
from companion.records import Measurement

__all__ = [
    "BackboneFeatures",
    "DigitFeatures",
    "FaceFeatures",
    "FeatureExtractor",
    "InceptionFeatures",
    "Measurement",
    "ModeReport",
    "cheapest_plan",
    "cost_of_plan",
    "earth_movers_distance",
    "frechet_distance",
    "game_value",
    "gradients_by_layer",
    "jensen_shannon",
    "kernel_distance",
    "measure",
    "mode_report",
    "optimal_discriminator",
    "share_at_walls",
    "slope_norms",
    "total_variation",
]
