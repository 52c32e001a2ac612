"""What unlabeled images are worth: methods that learn from them beside one-class methods and trivial controls."""
