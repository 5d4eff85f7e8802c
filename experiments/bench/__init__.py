"""What one optimizer step costs in time and memory, compared with other optimizers and with the memory bandwidth.

A step is limited by memory bandwidth: `traffic` has the bytes that each method must move, `contestants` the optimizers,
`shapes` the parameters; `measure` times the steps in turns, `memory` measures their memory, `record` puts all into one
JSON object, and `figure` and the command draw and print such an object.
"""
