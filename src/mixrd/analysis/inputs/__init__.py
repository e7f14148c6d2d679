"""What is given with a scan, made ready: instrument, range, beam, preparation."""
