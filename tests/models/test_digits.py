"""Guards the digit classifier: shapes, features, and that images do not influence each other when it measures."""

import torch

from companion.models.digits import DigitClassifier, DigitClassifierConfig


def test_classifier_gives_logits_and_non_negative_features():
    model = DigitClassifier(DigitClassifierConfig(width=4, features=12, classes=7))
    images = torch.randn(5, 1, 32, 32)
    assert model(images).shape == (5, 7)
    features = model.eval().features(images)
    assert features.shape == (5, 12)
    assert (features >= 0).all()
    assert features.std() > 0


def test_logits_are_the_head_on_the_features():
    model = DigitClassifier(DigitClassifierConfig()).eval()
    images = torch.randn(3, 1, 32, 32)
    torch.testing.assert_close(model(images), model.features(images) @ model.head.weight.T + model.head.bias)


def test_in_eval_mode_each_image_stands_alone():
    model = DigitClassifier(DigitClassifierConfig()).eval()
    images = torch.randn(6, 1, 32, 32)
    alone = torch.cat([model(image[None]) for image in images])
    torch.testing.assert_close(model(images), alone, rtol=1e-4, atol=1e-5)
