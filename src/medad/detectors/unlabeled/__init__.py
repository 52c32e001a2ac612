"""Methods that learn what tells unlabeled images from normal ones."""
