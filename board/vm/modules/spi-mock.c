// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtual SPI controller with one device, /dev/spidevB.0, whose transfers are logged.
 *
 * What is written is kept (see transfer-log.h), as data or as commands by the level of the GPIO
 * line @data_gpio at the time: displays with a data/command pin. Reads give zeros.
 */
#include <linux/gpio.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/spi/spi.h>

#include "transfer-log.h"

static int data_gpio = -1;
module_param(data_gpio, int, 0644);
MODULE_PARM_DESC(data_gpio, "GPIO that is high for data, low for commands; -1: all is data");

static unsigned int fail_every;
module_param(fail_every, uint, 0644);
MODULE_PARM_DESC(fail_every, "each so-manieth transfer fails with EIO; 0: none");

static unsigned int log_size = 64 << 20;
module_param(log_size, uint, 0444);
MODULE_PARM_DESC(log_size, "bytes of the log; later transfers are dropped from it");

static struct transfer_log transfers;
static struct platform_device *platform;
static struct spi_controller *controller;

static int spi_mock_transfer(struct spi_controller *ctlr, struct spi_device *spi,
			     struct spi_transfer *transfer)
{
	struct transfer_record record = {
		.kind = 'D',
		.device = spi->chip_select,
		.clock = cpu_to_le16(min(transfer->speed_hz / 10000, 65535U)),
	};

	if (transfer->rx_buf)
		memset(transfer->rx_buf, 0, transfer->len);
	if (!transfer->tx_buf)
		return 0;
	if (gpio_is_valid(data_gpio) && !gpio_get_value_cansleep(data_gpio))
		record.kind = 'C';
	return transfer_log_put(&transfers, record, transfer->tx_buf, transfer->len, fail_every);
}

static void spi_mock_set_cs(struct spi_device *spi, bool level)
{
}

static int __init spi_mock_init(void)
{
	/* A name that spidev takes; it refuses to bind to a device called "spidev". */
	struct spi_board_info board = {
		.modalias = "dh2228fv",
		.max_speed_hz = 62500000,
	};
	int result = transfer_log_init(&transfers, "spi-mock", log_size);

	if (result)
		return result;
	platform = platform_device_register_simple("spi-mock", -1, NULL, 0);
	if (IS_ERR(platform)) {
		result = PTR_ERR(platform);
		goto no_platform;
	}
	controller = spi_alloc_master(&platform->dev, 0);
	if (!controller) {
		result = -ENOMEM;
		goto no_controller;
	}
	controller->bus_num = 0;
	controller->num_chipselect = 1;
	controller->transfer_one = spi_mock_transfer;
	controller->set_cs = spi_mock_set_cs;
	controller->mode_bits = SPI_CPOL | SPI_CPHA | SPI_CS_HIGH | SPI_NO_CS;
	controller->bits_per_word_mask = SPI_BPW_MASK(8);
	controller->max_speed_hz = board.max_speed_hz;
	result = spi_register_controller(controller);
	if (result) {
		spi_controller_put(controller);
		goto no_controller;
	}
	board.bus_num = controller->bus_num;
	if (!spi_new_device(controller, &board)) {
		result = -ENODEV;
		spi_unregister_controller(controller);
		goto no_controller;
	}
	return 0;

no_controller:
	platform_device_unregister(platform);
no_platform:
	transfer_log_exit(&transfers);
	return result;
}

static void __exit spi_mock_exit(void)
{
	spi_unregister_controller(controller);
	platform_device_unregister(platform);
	transfer_log_exit(&transfers);
}

module_init(spi_mock_init);
module_exit(spi_mock_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Virtual SPI controller that logs transfers, for tests");
