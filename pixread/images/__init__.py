"""Pictures as pixels: opened, cropped, drawn on, measured. No model is known here."""
