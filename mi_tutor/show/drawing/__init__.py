"""What every figure is drawn with.

From the ground up:

    require         a package that is missing, said kindly
    theme           colours and sizes, light and dark
    words, inputs   numbers in words; tensors checked and made plain
    figure          a plotly figure with a title and a text description
    marks, panels   cells, ticks and colour bars; several panels side by side
    svg             drawings without plotly
"""
