"""What is wrong with a data set, and how its lists differ: nothing here learns, and nothing sees pathology."""
