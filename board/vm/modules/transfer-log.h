/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the mock buses share: a log of transfers that debugfs shows, and refusals on request.
 *
 * A record is: kind ('C' command, 'D' data, 'W' I2C write, 'E' refused), chip select or address,
 * clock in units of 10 kHz (le16), length (le32), the bytes. filmd's file-backed buses write the
 * same (src/present/bus_log.rs). Reading "log" gives all records; writing anything to it empties it.
 */
#ifndef TRANSFER_LOG_H
#define TRANSFER_LOG_H

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

struct transfer_log {
	struct mutex lock;
	u8 *bytes;
	size_t size;
	size_t used;
	u32 transfers;
	u32 refused;
	u32 dropped;
	struct dentry *folder;
};

struct transfer_record {
	u8 kind;
	u8 device;
	__le16 clock;
	__le32 length;
} __packed;

/* Keeps one transfer; @fail_every: each so-manieth is refused (0: none). */
static inline int transfer_log_put(struct transfer_log *log, struct transfer_record record,
				   const void *bytes, size_t length, unsigned int fail_every)
{
	bool refuse;

	mutex_lock(&log->lock);
	log->transfers++;
	refuse = fail_every && log->transfers % fail_every == 0;
	if (refuse) {
		log->refused++;
		record.kind = 'E';
	}
	record.length = cpu_to_le32(length);
	if (sizeof(record) + length <= log->size - log->used) {
		memcpy(log->bytes + log->used, &record, sizeof(record));
		memcpy(log->bytes + log->used + sizeof(record), bytes, length);
		log->used += sizeof(record) + length;
	} else {
		log->dropped++;
	}
	mutex_unlock(&log->lock);
	return refuse ? -EIO : 0;
}

static ssize_t transfer_log_read(struct file *file, char __user *to, size_t count, loff_t *at)
{
	struct transfer_log *log = file->private_data;
	ssize_t result;

	mutex_lock(&log->lock);
	result = simple_read_from_buffer(to, count, at, log->bytes, log->used);
	mutex_unlock(&log->lock);
	return result;
}

static ssize_t transfer_log_write(struct file *file, const char __user *from, size_t count,
				  loff_t *at)
{
	struct transfer_log *log = file->private_data;

	mutex_lock(&log->lock);
	log->used = 0;
	mutex_unlock(&log->lock);
	return count;
}

static const struct file_operations transfer_log_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = transfer_log_read,
	.write = transfer_log_write,
	.llseek = default_llseek,
};

static inline int transfer_log_init(struct transfer_log *log, const char *name, size_t size)
{
	mutex_init(&log->lock);
	log->size = size;
	log->bytes = vmalloc(size);
	if (!log->bytes)
		return -ENOMEM;
	log->folder = debugfs_create_dir(name, NULL);
	debugfs_create_file("log", 0600, log->folder, log, &transfer_log_fops);
	debugfs_create_u32("transfers", 0400, log->folder, &log->transfers);
	debugfs_create_u32("refused", 0400, log->folder, &log->refused);
	debugfs_create_u32("dropped", 0400, log->folder, &log->dropped);
	return 0;
}

static inline void transfer_log_exit(struct transfer_log *log)
{
	debugfs_remove_recursive(log->folder);
	vfree(log->bytes);
}

#endif
