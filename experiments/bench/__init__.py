"""What one optimizer step costs in time and memory, beside every peer and beside the memory's own speed.

A step is bound by memory: `traffic` says how many bytes each method must move, `contestants` who takes part, `shapes`
on which parameters, `measure` times them in turns, `memory` weighs them, `record` puts it all into one JSON object,
and `figure` and `console` show such an object.
"""
