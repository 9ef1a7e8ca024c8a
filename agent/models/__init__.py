"""Model clients: a request of the loop in, events and items out, the same for every endpoint and server.

What a model is stands in `base`, what one may ask of it in `settings`, what it can do in `profiles`. `openai_model`
speaks Responses and Chat Completions, `resolve` turns a string into a model, `fallback` chains models, `offline`
works without any server.
"""
