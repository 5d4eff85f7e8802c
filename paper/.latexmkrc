# `make paper` sets the rest. A warning about a reference or a citation is an error, and everything lands in build/.
$pdf_mode = 1;
$out_dir = 'build';
$warnings_as_errors = 1;
$pdflatex = 'pdflatex -interaction=nonstopmode -halt-on-error -file-line-error %O %S';
