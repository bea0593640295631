"""What runs where submissions run. Nothing of it judges, and nothing of it is trusted by what does."""
