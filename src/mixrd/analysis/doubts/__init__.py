"""What speaks against an answer: lines, axes, wavelengths, cells, contradictions."""
