"""What every training run fixes, whatever it trains."""

from dataclasses import dataclass

from companion.settings import Settings, option
from companion.training.player import Workshop, workshop


@dataclass(frozen=True)
class TrainingSettings(Settings):
    """Two runs with equal settings, device, versions and number of threads are equal bit for bit."""

    data: str = option("digits", help="a folder, or the name of a data set", metavar="NAME|FOLDER")
    size: int = option(32, help="side of the images", metavar="PIXELS", least=1)
    batch: int = option(64, help="images per step", metavar="N", least=1)
    steps: int = option(2000, help="training steps", metavar="N", least=1)
    seed: int = option(
        1, help="of all random numbers", metavar="N", least=0, below=2**63, choose="0 or more, less than 2⁶³"
    )
    ema_decay: float = 0.999  # of the moving average of the weights
    device: str = option("cpu", help="auto, cpu, cuda or mps", metavar="NAME")
    bfloat16: bool = option(False, help="faster where the processor has it; see companion doctor")
    compiled: bool = option(False, help="compile the networks first: a minute of waiting, then faster")

    def workshop(self) -> Workshop:
        """Where and how the networks are trained, with the processes that were launched for it.

        Raises:
            CompanionError: The device is not there.
        """
        return workshop(self.device, bfloat16=self.bfloat16, compiled=self.compiled)
