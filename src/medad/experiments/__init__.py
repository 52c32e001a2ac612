"""Experiments: grid/ trains, reproduce/ follows papers, studies/ are our own, pages/ prints what is stored."""
