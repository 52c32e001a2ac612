"""The paper's tables and our own studies, printed from stored scores."""
