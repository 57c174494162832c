"""Facts from clouds and products are compared with wishes, and one step is taken."""
