"""What an analysis gives, and in what words and numbers."""
