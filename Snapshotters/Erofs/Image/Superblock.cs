using System.Buffers.Binary;
using System.Numerics;

namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>The image's own description, at 1024 bytes from its start.</summary>
/// <param name="Inodes">Inodes that have a name.</param>
/// <param name="Blocks">Blocks of the whole image.</param>
/// <param name="DirectoryBlock">Where the directories begin, which are all that is left of the image. The kernel looks there for attributes that files share,
/// and ours share none.</param>
/// <param name="Id">Identifies it to the kernel, made from what is in it.</param>
/// <param name="HasChunks">Does a file of it have a map of chunks?</param>
internal readonly record struct Superblock(long Inodes, long Blocks, long DirectoryBlock, UInt128 Id, bool HasChunks)
{
    private const int Offset = 1024;
    private const uint Magic = 0xE0F5E1E2;
    private const uint WithChecksum = 1;
    private const uint WithTimes = 2;
    private const uint WithChunks = 4;

    // The checksum of the magic number and of itself as zero.
    private const uint ChecksumSeed = 0x5045B54A;
    private const int ChecksumFrom = Offset + 8;

    /// <summary>Writes the first block.</summary>
    public byte[] ToBlock()
    {
        var block = new byte[ErofsFormat.BlockBytes];
        var super = block.AsSpan(Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(super, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(super[8..], WithChecksum | WithTimes);
        super[12] = ErofsFormat.BlockBits;
        BinaryPrimitives.WriteUInt16LittleEndian(super[14..], (ushort)ErofsFormat.RootNumber);
        BinaryPrimitives.WriteInt64LittleEndian(super[16..], Inodes);
        BinaryPrimitives.WriteUInt32LittleEndian(super[36..], (uint)Blocks);
        BinaryPrimitives.WriteUInt32LittleEndian(super[44..], (uint)DirectoryBlock);
        BinaryPrimitives.WriteUInt128LittleEndian(super[48..], Id);
        BinaryPrimitives.WriteUInt32LittleEndian(super[80..], HasChunks ? WithChunks : 0);
        BinaryPrimitives.WriteUInt32LittleEndian(super[4..], Checksum(block));
        return block;
    }

    /// <summary>Reads the first block.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">It is none that we wrote (<see cref="Store.Errors.ErrorKind.CorruptData"/>).</exception>
    public static Superblock Of(ReadOnlySpan<byte> block)
    {
        var super = block[Offset..];
        var features = BinaryPrimitives.ReadUInt32LittleEndian(super[80..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(super) != Magic || BinaryPrimitives.ReadUInt32LittleEndian(super[4..]) != Checksum(block))
        {
            throw ImageFault.Damaged("its superblock is not the one that was written");
        }

        var read = new Superblock(
            BinaryPrimitives.ReadInt64LittleEndian(super[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(super[36..]),
            BinaryPrimitives.ReadUInt32LittleEndian(super[44..]),
            BinaryPrimitives.ReadUInt128LittleEndian(super[48..]),
            features == WithChunks);
        return super[12] == ErofsFormat.BlockBits && features is 0 or WithChunks && read.DirectoryBlock <= read.Blocks
            && BinaryPrimitives.ReadUInt16LittleEndian(super[14..]) == ErofsFormat.RootNumber
                ? read
                : throw ImageFault.Damaged("its superblock describes another kind of image than ours");
    }

    private static uint Checksum(ReadOnlySpan<byte> block)
    {
        var sum = ChecksumSeed;
        foreach (var b in block[ChecksumFrom..ErofsFormat.BlockBytes])
        {
            sum = BitOperations.Crc32C(sum, b);
        }

        return sum;
    }
}
