"""“Draw me”: a photographed face is measured, and then drawn, as a portrait or with its own features exaggerated.

The other road to a caricature that is still you (chapter 7): do not translate pixels, *measure, then draw*. A mesh is
laid over the face (`aligning`), a network that learnt from drawn people reads it (`lessons`, `teaching`), colours and
hair are looked up in the picture, and the renderers of the course's own people draw what was found.
"""
