"""What chapter 8 looks at: photographs with faces, hands and bodies, labelled by eye."""

from companion.data.catalogue import DataSet

SETS = (
    DataSet(
        name="vision-photographs",
        description="27 photographs and drawings with faces, hands and bodies, labelled by eye",
        assets=("vision-photographs",),
    ),
)
