namespace ImageStore.Runtime.Ttrpc;

/// <summary>One message as it came.</summary>
/// <param name="Header">What was before it.</param>
/// <param name="Message">Its bytes; none of them when it is over the limit.</param>
internal readonly record struct Frame(FrameHeader Header, byte[] Message)
{
    /// <summary>Was it longer than the protocol allows, and thrown away?</summary>
    public bool IsOversized => Header.Length > TtrpcLimits.MessageBytes;
}
