using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Interop;

/// <summary>The names in a directory, as bytes with their NUL, without <c>.</c> and <c>..</c>.</summary>
public static class DirectoryEntries
{
    private const int BufferBytes = 32768;
    private const int NameOffset = 19;

    /// <summary>Reads all names; the handle's position must be at the start.</summary>
    public static List<byte[]> Read(SafeFileHandle directory)
    {
        var names = new List<byte[]>();
        var buffer = new byte[BufferBytes];
        while (true)
        {
            var length = (int)LibC.GetDents(directory, buffer, buffer.Length);
            InodeChange.Check(length, "list", "a directory");
            if (length == 0)
            {
                return names;
            }

            for (var at = 0; at < length; at += BitConverter.ToUInt16(buffer, at + 16))
            {
                var name = buffer.AsSpan(at + NameOffset);
                name = name[..(name.IndexOf((byte)0) + 1)];
                if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
                {
                    names.Add(name.ToArray());
                }
            }
        }
    }
}
