/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A virtual machine's whole life, as its disk's first sector: says that it was booted, reads the second
 * sector and says what is in it, writes the third, reads it back, and turns the power off. By the
 * firmware's calls (INT 13h) and the first serial port. For QEMU's "pc".
 */
	.code16
	.globl start

	.set COM1, 0x3f8
	.set PM1A_CONTROL, 0x604	/* SeaBIOS: PORT_ACPI_PM_BASE + 4 */
	.set POWER_OFF, 0x2000		/* SLP_EN, S5 */
	.set BUFFER, 0x7e00

start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$start, %sp
	cld
	movw	$booted, %si
	call	say

	movw	$0x0201, %ax		/* read one sector, */
	movw	$0x0002, %cx		/* the second, */
	call	disk			/* of the disk that we are from */
	movw	$has_read, %si
	call	say
	movw	$BUFFER, %si
	call	say

	movw	$text, %si
	movw	$BUFFER, %di
	movw	$text_end - text, %cx
	rep movsb
	movw	$0x0301, %ax
	movw	$0x0003, %cx
	call	disk
	movb	$0, BUFFER
	movw	$0x0201, %ax
	movw	$0x0003, %cx
	call	disk
	movw	$has_written, %si
	call	say
	movw	$BUFFER, %si
	call	say

off:
	movw	$PM1A_CONTROL, %dx
	movw	$POWER_OFF, %ax
	outw	%ax, %dx
1:
	hlt
	jmp	1b

/* %ax, %cx: as for INT 13h; head 0, one sector at BUFFER; %dl is the firmware's and stays. */
disk:
	xorb	%dh, %dh
	movw	$BUFFER, %bx
	pushw	%dx
	int	$0x13
	popw	%dx
	jc	failed
	ret

failed:
	movw	$no_disk, %si
	call	say
	jmp	off

/* %si: text that ends with 0. */
say:
	pushw	%dx
	movw	$COM1 + 5, %dx
1:
	inb	%dx, %al
	testb	$0x20, %al		/* the transmitter is empty */
	jz	1b
	lodsb
	testb	%al, %al
	jz	2f
	movw	$COM1, %dx
	outb	%al, %dx
	movw	$COM1 + 5, %dx
	jmp	1b
2:
	popw	%dx
	ret

booted:
	.asciz	"payload: booted\n"
has_read:
	.asciz	"payload: read: "
has_written:
	.asciz	"payload: wrote: "
no_disk:
	.asciz	"payload: the disk fails\n"
text:
	.asciz	"by the payload\n"
text_end:

	.org	510
	.word	0xaa55
