"""Image files decoded to upright sRGB squares: the pixels that training and inference both see."""
