# time: 300
# needs: display=640x480 systemd
# The unit under real systemd; what runs is board/vm/service/service.sh.
