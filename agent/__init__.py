"""Who decides what happens next: the loop, its state, the models, the command line and the local server.

The names that users need are exported by `jigwork` itself; nothing is imported here, so that each costs only itself.
"""
