"""The line recogniser: a convolutional network trained with connectionist temporal classification (CTC)."""
