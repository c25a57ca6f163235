# time: 4000
# needs: display=640x480 systemd describer processors=2
# film-describe in the unit, with the language model; what runs is board/vm/service/describer.sh.
