"""The judge of hand-offs, as the vendor documents it and where it does not, by labelled assumptions."""
