"""What the powder holds and is: amorphous parts, standards, particles that absorb."""
