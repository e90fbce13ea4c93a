"""What the report shows, as numbers: stores read and checked, errors measured, figures pooled."""
