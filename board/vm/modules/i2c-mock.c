// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtual I2C adapter with plain transfers, which i2c-stub (SMBus only) has not, and one chip
 * that takes every write; each is logged (see transfer-log.h). Reads give zeros.
 */
#include <linux/i2c.h>
#include <linux/module.h>

#include "transfer-log.h"

static unsigned short address = 0x3c;
module_param(address, ushort, 0444);
MODULE_PARM_DESC(address, "address of the chip; nobody answers at others");

static unsigned int fail_every;
module_param(fail_every, uint, 0644);
MODULE_PARM_DESC(fail_every, "each so-manieth write fails with EIO; 0: none");

static unsigned int log_size = 4 << 20;
module_param(log_size, uint, 0444);
MODULE_PARM_DESC(log_size, "bytes of the log; later writes are dropped from it");

static struct transfer_log writes;

static int i2c_mock_transfer(struct i2c_adapter *adapter, struct i2c_msg *messages, int count)
{
	int n;

	for (n = 0; n < count; n++) {
		struct i2c_msg *message = &messages[n];
		struct transfer_record record = { .kind = 'W', .device = message->addr };
		int result;

		if (message->addr != address)
			return -ENXIO;
		if (message->flags & I2C_M_RD) {
			memset(message->buf, 0, message->len);
			continue;
		}
		result = transfer_log_put(&writes, record, message->buf, message->len, fail_every);
		if (result)
			return result;
	}
	return count;
}

static u32 i2c_mock_functionality(struct i2c_adapter *adapter)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
}

static const struct i2c_algorithm i2c_mock_algorithm = {
	.master_xfer = i2c_mock_transfer,
	.functionality = i2c_mock_functionality,
};

static struct i2c_adapter i2c_mock_adapter = {
	.owner = THIS_MODULE,
	.algo = &i2c_mock_algorithm,
	.name = "i2c-mock",
};

static int __init i2c_mock_init(void)
{
	int result = transfer_log_init(&writes, "i2c-mock", log_size);

	if (result)
		return result;
	result = i2c_add_adapter(&i2c_mock_adapter);
	if (result)
		transfer_log_exit(&writes);
	return result;
}

static void __exit i2c_mock_exit(void)
{
	i2c_del_adapter(&i2c_mock_adapter);
	transfer_log_exit(&writes);
}

module_init(i2c_mock_init);
module_exit(i2c_mock_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Virtual I2C adapter that logs writes, for tests");
