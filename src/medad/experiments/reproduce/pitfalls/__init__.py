"""The pitfalls of residual scores (Meissen, Wiestler, Kaissis, Rueckert, MIDL 2022)."""
