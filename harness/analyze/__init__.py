"""From stored records to findings: tables, spreads, variance shares, sentences."""
