"""Generated head-like images, normal and abnormal, with masks: the phantom benchmark."""
